"""Keys and tokens for tests, good by PyJWT and bad by hand."""

import base64
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = b'a secret that only the tests know, 40 oct'

_cache = {}


def private(alg):
    """The tests' private key of an algorithm, made once."""
    if alg not in _cache:
        _cache[alg] = {
            'RS256': lambda: rsa.generate_private_key(65537, 2048),
            'RS256-other': lambda: rsa.generate_private_key(65537, 2048),
            'ES256': lambda: ec.generate_private_key(ec.SECP256R1()),
            'ES384': lambda: ec.generate_private_key(ec.SECP384R1()),
            'EdDSA': ed25519.Ed25519PrivateKey.generate,
        }[alg]()
    return _cache[alg]


def public_pem(alg):
    return private(alg).public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(alg, **members):
    """The public key of an algorithm as a JWK, a dict."""
    if alg == 'HS256':
        return {'kty': 'oct', 'k': b64(SECRET), **members}
    algorithm = jwt.get_algorithm_by_name(alg)
    return {**json.loads(algorithm.to_jwk(private(alg).public_key())),
            **members}


def write_keys(folder):
    """All of it into files of a directory."""
    (folder / 'secret').write_bytes(SECRET + b'\n')
    for alg in ('RS256', 'ES256', 'EdDSA'):
        (folder / (alg + '.pem')).write_bytes(public_pem(alg))
    (folder / 'jwks.json').write_text(json.dumps({'keys': [
        jwk('RS256', kid='rsa'), jwk('ES256', kid='ec'),
        jwk('EdDSA', kid='ed'), {'kty': 'EC', 'crv': 'P-521'}]}))


def claims(sub='ann', seconds=600, **others):
    return {'sub': sub, 'exp': int(time.time()) + seconds, **others}


def mint(payload=None, alg='HS256', headers=None, key=None):
    """A token by PyJWT."""
    if key is None:
        key = SECRET if alg == 'HS256' else private(alg)
    return jwt.encode(claims() if payload is None else payload, key, alg,
                      headers)


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def forge(header, payload, key=SECRET, signature=None):
    """A token of these texts (or what JSON makes of them), signed by HMAC."""
    parts = [part if isinstance(part, (str, bytes)) else json.dumps(part)
             for part in (header, payload)]
    text = '%s.%s' % tuple(map(b64, parts))
    if signature is None:
        signature = hmac.digest(key, text.encode(), hashlib.sha256)
    return '%s.%s' % (text, b64(signature))
