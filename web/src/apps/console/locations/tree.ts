import type { Location } from '../../../api/types'

export const SITES = ['store', 'warehouse'] as const
export const INNER = ['zone', 'aisle', 'rack', 'bin'] as const
/** Load carriers: moved with what is on them. */
export const CARRIERS = ['pallet', 'tote', 'cart'] as const
export const ROLES = ['receiving', 'storage', 'pick_face', 'packing', 'shipping', 'quarantine', 'store_floor', 'backroom'] as const

export type Node = { place: Location; depth: number; children: number; open: boolean }

/** Kinds that stand for no room of ours. */
export const isVirtual = (place: Pick<Location, 'kind'>) => ![...SITES, ...INNER, ...CARRIERS].includes(place.kind as (typeof SITES)[number])

const byCode = (a: Location, b: Location) => a.code.localeCompare(b.code, undefined, { numeric: true })

/** The rows in sight, from the roots down; a search opens the way to what it finds. */
export function visibleNodes(places: Location[], opened: ReadonlySet<string>, find = ''): Node[] {
  const known = new Set(places.map((place) => place.id))
  const inside = new Map<string | null, Location[]>()
  for (const place of places) {
    const parent = place.parent_id && known.has(place.parent_id) ? place.parent_id : null
    inside.set(parent, [...(inside.get(parent) ?? []), place])
  }
  const needle = find.trim().toLowerCase()
  const byId = new Map(places.map((place) => [place.id, place]))
  const kept = new Set<string>()
  if (needle) {
    for (const place of places) {
      if (![place.code, place.name, place.path].some((text) => text.toLowerCase().includes(needle))) continue
      for (let at: Location | undefined = place; at && !kept.has(at.id); at = at.parent_id ? byId.get(at.parent_id) : undefined) kept.add(at.id)
    }
  }
  const rows: Node[] = []
  const walk = (parent: string | null, depth: number) => {
    for (const place of (inside.get(parent) ?? []).sort(byCode)) {
      if (needle && !kept.has(place.id)) continue
      const children = inside.get(place.id)?.length ?? 0
      const open = needle ? true : opened.has(place.id)
      rows.push({ place, depth, children, open: open && children > 0 })
      if (open) walk(place.id, depth + 1)
    }
  }
  walk(null, 0)
  return rows
}

/** The way from the root to a place, itself left out: what must be open to see it. */
export function wayTo(places: Location[], id: string): string[] {
  const byId = new Map(places.map((place) => [place.id, place]))
  const way: string[] = []
  for (let at = byId.get(id)?.parent_id; at; at = byId.get(at)?.parent_id) way.push(at)
  return way
}
