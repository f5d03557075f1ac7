"""The third version of OpenMeter's API, over the same services as the first two.

Members are snake case, values decimal texts, bodies closed; lists have pages, filters and a sort;
failures have a form of their own. Nothing is decided here that the first version does not decide.
"""
