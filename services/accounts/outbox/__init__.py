"""Events in the transaction that makes them, relayed to whoever in the house subscribes."""
