// Where the server is: its pages are at BASE/ and BASE/try, so BASE is the folder of the
// page's own address. It is empty unless the server has a base path. A proxy may take it
// away from requests, so the server's answers do not tell it.
const here = globalThis.location?.pathname ?? '/';

export const base = here.slice(0, here.lastIndexOf('/'));

/** local is the address of a path of this server. */
export const local = (path: string): string => base + path;
