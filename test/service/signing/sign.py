"""Signs a folder by an interface of model_signing that its command does not have: python sign.py FOLDER KEY SIGNATURE files|shards HASH [SHARD_SIZE]"""
import sys

from model_signing import hashing, signing

folder, key, signature, method, algorithm, *size = sys.argv[1:]
config = hashing.Config()
if method == "shards":
    config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=int(size[0]))
else:
    config.use_file_serialization(hashing_algorithm=algorithm)
signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(config).sign(folder, signature)
