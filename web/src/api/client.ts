import createClient, { type Middleware } from 'openapi-fetch'

import { problemOf, unreachable } from './problem'

/** Told when the server no longer knows us; the shell sends the reader to the login page. */
let onSignedOut: () => void = () => {}

export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler
}

const MISTYPED = new Set(['invalid_credentials', 'totp_required'])

const refusals: Middleware = {
  async onResponse({ response, schemaPath }) {
    if (response.ok) return
    const problem = await problemOf(response)
    // A wrong password or code, asked for by a page inside, is a refusal: who mistypes it is still signed in.
    if (response.status === 401 && !MISTYPED.has(problem.code) && schemaPath !== '/v1/session' && schemaPath !== '/v1/me') onSignedOut()
    throw problem
  },
  onError({ error }) {
    return error instanceof TypeError ? unreachable() : undefined
  },
}

export type Query = Record<string, string | number | boolean | null | undefined>
type Options = { query?: Query; body?: unknown; path?: Record<string, string>; ifMatch?: string | number; signal?: AbortSignal }
type Loose = Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', (path: string, init: object) => Promise<{ data?: unknown }>>

const client = createClient({
  baseUrl: typeof location === 'undefined' ? 'http://localhost' : location.origin,
  credentials: 'same-origin',
}) as unknown as Loose & { use(middleware: Middleware): void }
client.use(refusals)

async function call<T>(method: keyof Loose, path: string, { query, body, path: inPath, ifMatch, signal }: Options): Promise<T> {
  const headers: Record<string, string> = {}
  if (ifMatch !== undefined) headers['If-Match'] = `"${ifMatch}"`
  const { data } = await client[method](path, { params: { query: kept(query), path: inPath }, body, headers, signal })
  return data as T
}

/** Empty filters are left out, so that one question has one address. */
export function kept(query: Query | undefined): Record<string, string | number | boolean> {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return Object.fromEntries(entries) as Record<string, string | number | boolean>
}

/** Path placeholders are written `{id}` and filled from `path`, escaped. Every refusal arrives as a thrown `ApiProblem`. */
export const api = {
  get: <T>(path: string, options: Options = {}) => call<T>('GET', path, options),
  post: <T>(path: string, body?: unknown, options: Options = {}) => call<T>('POST', path, { ...options, body: body ?? {} }),
  put: <T>(path: string, body: unknown, options: Options = {}) => call<T>('PUT', path, { ...options, body }),
  patch: <T>(path: string, body: unknown, options: Options = {}) => call<T>('PATCH', path, { ...options, body }),
  delete: <T>(path: string, options: Options = {}) => call<T>('DELETE', path, options),
}

/** The address of a download (export of a list): the browser fetches it itself, with the session cookie. */
export function downloadUrl(path: string, query: Query): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(kept(query))) params.set(name, String(value))
  return `${path}?${params.toString()}`
}
