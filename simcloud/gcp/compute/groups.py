"""x."""


def reconcile(w, m):
    return False


def restless(w):
    return False
