export { S3Store } from './stores/s3.ts';
