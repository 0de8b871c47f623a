export { type Calls, DirectoryStore } from './stores/directory.ts';
