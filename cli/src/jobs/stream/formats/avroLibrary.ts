/** What is used of avsc, which the command has as a file of its own. */
export { default } from 'avsc';
