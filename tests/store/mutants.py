"""Mutants of run files: their structure changed at random, by seed, with the checksum made to fit again."""

import json
import random

import h5py
import numpy as np

from qlab.store.digest import content_sha256
from qlab.store.guard import check_structure

ATTRIBUTES = (
    "NX_class", "signal", "axes", "units", "long_name", "role", "factor", "format_version", "format", "status",
    "default", "target", "flag_values", "coordinates", "ancillary_variables", "x_indices", "id", "title", "new",
)  # fmt: skip


READ = {"shots", "scan_point", "program", "data", "timetags", "preview", "overview", "oadev"}


def _places(file):
    found = []
    file["entry"].visititems(lambda name, item: found.append(item.name))
    return found


def mutate(path, seed):
    """Change one to four things in a file; return what was done, in words."""
    chance = random.Random(seed)
    if chance.random() < 0.05:
        raw = path.read_bytes()
        path.write_bytes(raw[: chance.randrange(len(raw))] + b"\0" * chance.choice([0, 0, 4096]))
        return ["cut"]
    done = []
    with h5py.File(path, "r+", locking=False) as file:
        for _ in range(chance.choice([1, 1, 2, 4])):
            places = _places(file)
            change = chance.choice(CHANGES)
            place = chance.choice(places)
            if chance.random() < 0.4:  # the few objects that qlab itself reads
                place = chance.choice([p for p in places if p.split("/")[2] in READ] or places)
            try:
                change(file, place, chance)
            except (
                TypeError,
                ValueError,
                OSError,
                RuntimeError,
                LookupError,
                AttributeError,
                ArithmeticError,
            ):
                continue  # h5py itself would not write that
            done.append(f"{change.__name__} {place}")
        if chance.random() < 0.9:
            try:
                check_structure(file, path.name)  # it would go round a circle for ever
                file.attrs["content_sha256"] = content_sha256(file)
            except Exception:
                done.append("checksum left")
    return done


def _replace(file, place, make):
    parent, _, name = place.rpartition("/")
    attributes = {}
    for key in list(file[place].attrs):
        if key not in {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"}:
            attributes[key] = file[place].attrs[key]
    del file[place]
    made = make(file[parent], name)
    for key, value in attributes.items() if made is not None else ():
        made.attrs[key] = value


def drop(file, place, chance):
    del file[place]


def drop_attribute(file, place, chance):
    item = file[place]
    del item.attrs[chance.choice(list(item.attrs))]


def other_type(file, place, chance):
    shape = getattr(file[place], "shape", (3,)) or ()
    kinds = [
        "i1", "u8", "f4", ">f8", "f2", "c16", "?", "S5", "S100000", np.dtype([("a", "f8"), ("b", "S3")]),
        np.dtype("V9"), h5py.string_dtype(), h5py.ref_dtype, h5py.regionref_dtype, h5py.vlen_dtype("f8"),
        np.dtype(("f8", (3,))), h5py.enum_dtype({"a": 0, "b": 7}, basetype="i4"), np.longdouble,
    ]  # fmt: skip
    kind = chance.choice(kinds)
    _replace(file, place, lambda group, name: group.create_dataset(name, shape, kind))


def other_shape(file, place, chance):
    item = file[place]
    shape = chance.choice([(), (0,), (1,), (7,), (10_000,), (3, 3), (2, 0, 5), (1,) * 9, (1,) * 32, None])
    kind = item.dtype
    if shape is None:
        _replace(file, place, lambda g, n: g.create_dataset(n, data=h5py.Empty(kind)))
    else:
        _replace(file, place, lambda g, n: g.create_dataset(n, shape, kind))


def longer(file, place, chance):
    item = file[place]
    shape = (item.shape[0] + chance.choice([-3, 1, 5000]), *item.shape[1:])
    _replace(
        file, place, lambda g, n: g.create_dataset(n, shape, item.dtype, maxshape=(None, *item.shape[1:]))
    )


def garbage(file, place, chance):
    item = file[place]
    item[...] = np.frombuffer(random.Random(chance.random()).randbytes(item.nbytes), item.dtype).reshape(
        item.shape
    )


def odd_numbers(file, place, chance):
    item = file[place]
    item[...] = chance.choice([np.nan, np.inf, -1, 0, 2**62, 1e308, -1e308])


def swap_kind(file, place, chance):
    if isinstance(file[place], h5py.Group):
        _replace(file, place, lambda g, n: g.create_dataset(n, data=np.arange(5.0)))
    else:
        _replace(file, place, lambda g, n: g.create_group(n))


def odd_attribute(file, place, chance):
    item = file[chance.choice([place, "/", "/entry"])]
    name = chance.choice([*ATTRIBUTES, *list(item.attrs)])
    value = chance.choice([
        np.void(b"\x80\x04\x95pickle"), file["/"].ref, h5py.Empty("f8"), np.zeros(5000), "x" * 60_000, -1, 0,
        1e400, np.nan, np.array(["a", "b"], dtype="S3"), np.zeros((2, 2, 2)), b"\xff\xfe", "", "../../etc/passwd",
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "nothing", "/entry", [], np.array([], dtype="f8"),
        "\u202e\n\x1b[31m", 2**63 - 1, 1 + 2j, True,
    ])  # fmt: skip
    if name in item.attrs:
        del item.attrs[name]
    item.attrs[name] = value


def vlen_attribute(file, place, chance):
    file[place].attrs.create(
        chance.choice(ATTRIBUTES), ["a" * chance.choice([1, 10_000])] * 500, dtype=h5py.string_dtype()
    )


def link(file, place, chance):
    parent, _, name = place.rpartition("/")
    target = chance.choice([
        h5py.SoftLink("/entry"), h5py.SoftLink(place), h5py.SoftLink("/nowhere"), h5py.ExternalLink("/etc/passwd", "/"),
        h5py.ExternalLink(file.filename, "/entry"), h5py.ExternalLink("\\\\host\\share\\x.h5", "/"),
    ])  # fmt: skip
    if chance.random() < 0.5:
        del file[place]
    else:
        name = "more"
    file[parent][name] = target


def cycle(file, place, chance):
    group = file[place] if isinstance(file[place], h5py.Group) else file[place].parent
    group[chance.choice(["again", "data", "shots"])] = file[chance.choice(["/", "/entry", group.name])]


def shared(file, place, chance):
    """One object in two places, one of which expects another."""
    names = [f"/entry/shots/{name}" for name in file["entry/shots"]]
    target = chance.choice([*names, "/entry/scan_point", "/entry/data"])
    item = file[place]
    del file[target]
    file[target] = item


def borrowed(file, place, chance):
    item = file[place]
    layout = h5py.VirtualLayout(item.shape, item.dtype)
    source = chance.choice([".", "/etc/passwd", "other.h5"])
    layout[...] = h5py.VirtualSource(source, "/entry/scan_point", item.shape)
    _replace(file, place, lambda g, n: g.create_virtual_dataset(n, layout))


def elsewhere(file, place, chance):
    item = file[place]
    _replace(file, place, lambda g, n: g.create_dataset(
        n, item.shape, item.dtype, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]))  # fmt: skip


def absurd(file, place, chance):
    item = file[place]
    kind = item.dtype
    _replace(file, place, chance.choice([
        lambda g, n: g.create_dataset(n, (1 << 50,), kind, chunks=(1 << 20,)),
        lambda g, n: g.create_dataset(n, (1 << 27,), "f8", chunks=(1 << 27,), compression="gzip"),
        lambda g, n: g.create_dataset(n, (1 << 28,), "u1", chunks=(1 << 22,), compression="gzip", fillvalue=7),
        lambda g, n: g.create_dataset(n, (100, 1 << 40), kind, chunks=(1, 1)),
        lambda g, n: g.create_dataset(n, (), f"S{1 << 30}"),
        lambda g, n: g.create_dataset(n, (1 << 33,), "u1"),
        lambda g, n: g.create_dataset(n, data=np.zeros(1 << 23), chunks=(1 << 20,), compression="gzip"),
        lambda g, n: g.create_dataset(n, (1000,), "i4", chunks=(10,), scaleoffset=3),
    ]))  # fmt: skip


def wrong_scale(file, place, chance):
    scales = [name for name in ("/entry/scan_point", "/entry/preview/row") if name in file]
    item = file[place]
    if item.is_scale:
        item.attrs["CLASS"] = b"NOTHING"
    else:
        item.dims[0].attach_scale(file[chance.choice(scales)])


def document(file, place, chance):
    """The record: keys dropped, values of other kinds, numbers without measure, nesting without end."""
    raw = file["entry/program/data"][()]
    data = json.loads(raw)
    for _ in range(chance.choice([1, 3])):
        _spoil(data, chance)
    text = json.dumps(data)
    if chance.random() < 0.1:
        text = chance.choice(
            ["[" * 60_000, text[:-40], text.replace("1", "1" * 5000, 1), "NaN", "null", "[]", "{}", '"x"']
        )
    del file["entry/program/data"]
    file["entry/program"].create_dataset(
        "data", data=np.array(text.encode(), dtype=h5py.string_dtype("utf-8", len(text) + 1))
    )


def _spoil(data, chance):
    holder, key = data, None
    while isinstance(holder, dict | list) and holder:
        key = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        inside = holder[key]
        if not isinstance(inside, dict | list) or not inside or chance.random() < 0.3:
            break
        holder = inside
    if not isinstance(holder, dict | list) or key is None:
        return
    values = [None, -1, 0, 1e308, 10**40, "", "nan", "x" * 3000, [], {}, [[]], {"$float": "nan"}, {"$float": "inf"},
              True, 0.5, "../x", "entry", "\u202e\x00", "f8", "O", "S10", "M8[s]", "2" * 400, [1e300] * 3,
              {"kind": "linear"},
              {"kind": "centre", "centre": 0, "span": "x"}]  # fmt: skip
    if chance.random() < 0.2:
        del holder[key]
    elif chance.random() < 0.2 and isinstance(holder, list):
        holder.extend(holder[:1] * chance.choice([1, 3000]))
    else:
        holder[key] = chance.choice(values)


CHANGES = (
    drop, drop_attribute, other_type, other_type, other_shape, other_shape, longer, garbage, odd_numbers, swap_kind,
    odd_attribute, odd_attribute, vlen_attribute, link, cycle, shared, borrowed, elsewhere, absurd, wrong_scale,
    document, document, document,
)  # fmt: skip
