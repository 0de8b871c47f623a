/** The type of a body without its parameters, in small letters; empty where none is said. */
export function mediaTypeOf(request: Request): string {
  const type = request.headers.get('content-type') ?? '';
  const end = type.indexOf(';');
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase();
}
