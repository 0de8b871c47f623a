export { type ErrorCode, LogoddsError } from '../bindings/errors.ts';
