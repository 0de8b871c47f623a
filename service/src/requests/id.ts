/** An id that a client may give to its request: it stands in logs and headers. */
const ID = /^[\w.:/+=@-]{1,128}$/;

/** The id that a client has given, or null. */
export function givenId(request: Request): string | null {
  const id = request.headers.get('x-request-id');
  return id !== null && ID.test(id) ? id : null;
}
