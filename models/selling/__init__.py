"""Schema `user_<id>`, one per tenant: stock, jobs and what is listed where."""
