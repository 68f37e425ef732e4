"""Shops: how one comes into being and how it ends."""
