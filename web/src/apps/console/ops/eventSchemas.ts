/** The schemas the server's own build writes to docs/events, one file a type; each is its own small chunk. */
const files = import.meta.glob<unknown>('../../../../../docs/events/*.json', { import: 'default' })
const byType = new Map(Object.entries(files).map(([path, load]) => [path.split('/').at(-1)!.replace(/\.json$/, ''), load]))

export const EVENT_TYPES = [...byType.keys()].sort()

export const hasSchema = (type: string) => byType.has(type)

export const schemaOf = async (type: string) => (await byType.get(type)?.()) ?? null
