/** What a registry in a bucket uses of the SDK: `scripts/build.mjs` makes one file of it, which is loaded for a bucket alone. */
export {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
