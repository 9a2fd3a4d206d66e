"""How hard an example is, from what a training run leaves behind: small functions of torch tensors."""
