/** Who is at the other end of a connection, as the host knows it. */
export interface Peer {
  /** address of the network */
  readonly address?: string;
  /** subject of a certificate of TLS that the host has verified */
  readonly subject?: string;
}

/** A header could be forged; what the host says of a request cannot. */
const peers = new WeakMap<Request, Peer>();

export const setPeer = (request: Request, peer: Peer): unknown => peers.set(request, peer);

export const peerOf = (request: Request): Peer | null => peers.get(request) ?? null;
