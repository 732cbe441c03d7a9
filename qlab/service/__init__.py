"""The bench process and its supervisor: measurements that outlive the window, and a window that outlives a driver."""
