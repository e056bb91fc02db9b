"""Warnings and errors of the package."""

from __future__ import annotations

from ._native import ModelFileError

__all__ = ["ModelFileError", "NarrowsWarning", "missing_package", "not_fitted"]


class NarrowsWarning(UserWarning):
    """Something about the data or the fit that a user should know."""


class NotFittedError(ValueError, AttributeError):
    """Stands in for scikit-learn's exception of that name where scikit-learn is not installed."""


def not_fitted(estimator: object) -> Exception:
    """The error of a method that needs a fitted estimator: scikit-learn's, if it is installed."""
    message = f"this {type(estimator).__name__} is not fitted yet: call `fit` first, or `narrows.load` a model file"
    try:
        from sklearn.exceptions import NotFittedError as ScikitLearns
    except ImportError:
        return NotFittedError(message)
    error: Exception = ScikitLearns(message)
    return error


def missing_package(package: str, what: str, install: str | None = None) -> ImportError:
    """The error of a function that needs a package which is not installed."""
    return ImportError(f"{what} needs {package}: `pip install {install or package}`", name=package)
