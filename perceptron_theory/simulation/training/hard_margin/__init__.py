"""The exact maximum-margin perceptron without bias (hard-margin support vector machine)."""
