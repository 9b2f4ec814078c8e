import type { ReactNode } from 'react'

import type { Search } from '../url'

export type Column<R> = {
  id: string
  header: string
  cell: (row: R) => ReactNode
  /** A CSS grid track; default `minmax(110px, 1fr)`. */
  width?: string
  align?: 'right'
  /** The server's word for sorting by it; without one the column does not sort. */
  sort?: string
  /** Stays in sight when the list is scrolled sideways; for the first columns only. */
  sticky?: boolean
  /** Not shown until chosen. */
  hidden?: boolean
  /** On a narrow screen: the card's heading, its right corner, or left out. Default: a labelled line. */
  narrow?: 'title' | 'corner' | 'hide'
}

export type Option = { value: string; label: string }
export type Filter = {
  /** The name in our address and in the server's query alike. */
  param: string
  label: string
  kind: 'text' | 'choice' | 'date' | 'flag'
  options?: Option[]
  placeholder?: string
}

export type BulkField = { name: string; label: string; kind: 'text' | 'choice' | 'decimal'; options?: Option[] }
export type BulkRow = { id: string; label: string; changes: Record<string, [unknown, unknown]>; error?: string }
export type BulkResult = { changed: number; rows: BulkRow[] }
export type Bulk = { fields: BulkField[]; run: (ids: string[], changes: Record<string, string>, preview: boolean) => Promise<BulkResult> }

const OWN = new Set(['cols', 'sort', 'view'])

/** What the server is asked: the filters of the address, the sort, and what the page fixed. */
export function listQuery(search: Search, filters: Filter[], fixed: Search = {}): Search {
  const query: Search = {}
  for (const filter of filters) {
    const value = search[filter.param]
    if (value) query[filter.param] = value
  }
  if (search.sort) query.sort = search.sort
  return { ...query, ...fixed }
}

export function activeFilters(search: Search, filters: Filter[]): Filter[] {
  return filters.filter((filter) => search[filter.param])
}

export function shownColumns<R>(columns: Column<R>[], search: Search): Column<R>[] {
  if (!search.cols) return columns.filter((column) => !column.hidden)
  const wanted = new Set(search.cols.split('.'))
  const shown = columns.filter((column) => wanted.has(column.id))
  return shown.length ? shown : columns.filter((column) => !column.hidden)
}

/** The word for the address; null when it is the default choice, so that plain lists keep plain addresses. */
export function columnsWord<R>(columns: Column<R>[], shown: ReadonlySet<string>): string | null {
  const isDefault = columns.every((column) => shown.has(column.id) === !column.hidden)
  return isDefault ? null : columns.filter((column) => shown.has(column.id)).map((column) => column.id).join('.')
}

/** none → ascending → descending → none. */
export function nextSort(sort: string | undefined, by: string): string | null {
  if (sort === by) return `-${by}`
  if (sort === `-${by}`) return null
  return by
}

/** A saved view keeps the whole question: filters, columns, sort. Not which view it is. */
export function viewQuery(search: Search, filters: Filter[]): string {
  const params = new URLSearchParams()
  const names = [...filters.map((filter) => filter.param), 'cols', 'sort']
  for (const name of names) if (search[name]) params.set(name, search[name])
  return params.toString()
}

/** Opening a view empties what it does not speak of. */
export function viewPatch(query: string, search: Search, filters: Filter[]): Record<string, string | null> {
  const patch: Record<string, string | null> = {}
  for (const name of Object.keys(search)) if (OWN.has(name) || filters.some((filter) => filter.param === name)) patch[name] = null
  for (const [name, value] of new URLSearchParams(query)) patch[name] = value
  return patch
}

/** Where the arrow keys lead; null = not one of ours. */
export function moveFocus(key: string, at: number, count: number, page: number): number | null {
  const last = count - 1
  if (last < 0) return null
  switch (key) {
    case 'ArrowDown':
      return Math.min(at + 1, last)
    case 'ArrowUp':
      return Math.max(at - 1, 0)
    case 'PageDown':
      return Math.min(at + page, last)
    case 'PageUp':
      return Math.max(at - page, 0)
    case 'Home':
      return 0
    case 'End':
      return last
    default:
      return null
  }
}

/** Click = this one; shift = all between the last and this. */
export function toggleSelection(selected: ReadonlySet<string>, ids: string[], at: number, anchor: number | null): Set<string> {
  const next = new Set(selected)
  const id = ids[at]
  if (id === undefined) return next
  const on = !next.has(id)
  const start = anchor === null ? at : Math.min(anchor, at)
  const end = anchor === null ? at : Math.max(anchor, at)
  for (const each of ids.slice(start, end + 1)) {
    if (on) next.add(each)
    else next.delete(each)
  }
  return next
}
