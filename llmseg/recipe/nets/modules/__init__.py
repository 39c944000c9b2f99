"""The modules that network records build; kept apart because a record must be readable without torch."""
