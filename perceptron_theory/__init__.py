"""How much of a data set should be kept, which part, and with what error.

Replica theory of the teacher-student perceptron under data pruning (Sorscher, Geirhos, Shekhar,
Ganguli, Morcos, NeurIPS 2022, arXiv:2206.14486), on Gaussian or measured data, with a certificate
on every point. Names are loaded when they are first used.
"""

import lazy_loader as _lazy

from perceptron_theory.version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
