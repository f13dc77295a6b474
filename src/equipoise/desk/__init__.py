"""The only writer of the first door: clock, keys, followers, and the one way in, `Desk.submit`."""
