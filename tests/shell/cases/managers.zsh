#: a
is x x
