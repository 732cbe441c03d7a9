"""What the runner is made of: telling, the ledger, the keeper, hands, interlocks, upkeep, reconnecting, the end."""
