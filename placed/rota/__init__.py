"""Which room of a connection is read when: all of them once a round, or each by its need within a budget.

`rounds` and `by_need` are the two rotas; the others hold one idea each that the second is made of.
"""
