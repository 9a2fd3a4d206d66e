"""Students that minimise a convex loss, one file per loss, each trained to a certified optimum.

    minimise over w:   sum_mu v_mu l(t_mu) + c/2 |w|^2,   t = Z w,   c = lam N

Z (P, N) holds the kept examples multiplied by their labels, so that t > 0 is right, and v > 0 their weights. Fields are
of order 1 and w of order 1/sqrt(N), as in the saddle-point equations; there is no bias.
"""
