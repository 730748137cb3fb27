"""What went wrong in an object store, as one sentence instead of the driver's dump."""

import errno
import os
import re
from typing import Final

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from tiercast.core.errors import Unavailable

_MISSING_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "specified bucket does not exist")

# What the driver's text holds, in the order to look for it, and what to say: what happened, what to do.
_TEXTS: Final = (
    (_MISSING_BUCKET, "the bucket does not exist. Create it, or correct model_store_url."),
    (
        ("169.254.169.254", "metadata.google.internal", "Missing AccessKey", "Missing SecretAccess"),
        "its credentials were not found. Set them in the environment (S3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).",
    ),
    (
        ("MissingAccount", "Account must be specified"),
        "the storage account is not known. Set AZURE_STORAGE_ACCOUNT_NAME and its key.",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "403 Forbidden", "401 Unauthorized"),
        "the store refused the credentials, or they lack the right to this bucket. Check keys, region and policy.",
    ),
    (
        ("501 Not Implemented", "NotImplemented", "NotSupported"),
        "the store refuses writes on the condition that nothing is there yet. Use a store that accepts If-None-Match.",
    ),
    (("ConnectionRefused",), "nothing answers at its endpoint (connection refused). Check AWS_ENDPOINT_URL."),
    (("dns error",), "the host of its endpoint cannot be found. Check AWS_ENDPOINT_URL and the network."),
    (("certificate",), "the certificate of its endpoint is not trusted. Check AWS_ENDPOINT_URL."),
    (
        ("kind: Timeout", "TimedOut"),
        "it did not answer in time. Check network and AWS_ENDPOINT_URL, then try again.",
    ),
    (("kind: Connect",), "no connection to its endpoint. Check the network and AWS_ENDPOINT_URL."),
)

_DISK: Final = {
    errno.ENOSPC: "the disk is full. Make room and try again.",
    errno.EDQUOT: "the disk quota is used up. Make room and try again.",
    errno.EFBIG: "a file would be larger than this process may write. Raise the limit (ulimit -f) and try again.",
    errno.EROFS: "the folder is read-only. Make it writable, or set model_store_url to another place.",
    errno.EACCES: "this user has no right to it. Make it accessible, or set model_store_url to another place.",
    errno.EPERM: "this user, or this file system, does not allow it. Set model_store_url to another place.",
    errno.EEXIST: "a file stands where a folder should be. Remove it, or set model_store_url to another place.",
    errno.ENOTDIR: "a file stands where a folder should be. Remove it, or set model_store_url to another place.",
}


def bucket_is_missing(error: Exception) -> bool:
    """Whether "not found" speaks of the bucket itself rather than of one object."""
    return any(mark in str(error) for mark in _MISSING_BUCKET)


def unavailable(address: str, error: Exception) -> Unavailable:
    """The error to raise for a driver's: which store, what happened, what to do."""
    return Unavailable(f"The model store {address} cannot be used: {_cause(error)}")


def _cause(error: Exception) -> str:
    text = str(error)
    number = _errno(error)
    if number is not None:
        fallback = f"{os.strerror(number)}. Check the folder, or set model_store_url to another place."
        return _DISK.get(number, fallback)
    for marks, sentence in _TEXTS:
        if any(mark in text for mark in marks):
            return sentence
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return "the store refused access. Check the credentials and their rights to this bucket."
    status = re.search(r"non-2xx status code: (\d{3}[A-Za-z ]*)", text)
    if status:
        return f"it answered {status[1].strip()}. Try again later; if it stays, check the endpoint and the bucket."
    return f"{text.split(chr(10), 1)[0][:200]}. Run `tiercast doctor`."


def _errno(error: Exception) -> int | None:
    """The operating system's number for a fault of the local disk; None for anything a network said."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    first_line = str(error).split("\n", 1)[0]
    found = re.search(r"\(os error (\d+)\)", first_line)
    return int(found[1]) if found else None
