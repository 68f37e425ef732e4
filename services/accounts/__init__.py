"""Who people are and which shop is theirs."""
