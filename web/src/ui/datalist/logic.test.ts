import { describe, expect, it } from 'vitest'

import { columnsWord, listQuery, moveFocus, nextSort, shownColumns, toggleSelection, viewPatch, viewQuery, type Column, type Filter } from './logic'

const filters: Filter[] = [
  { param: 'q', label: 'Search', kind: 'text' },
  { param: 'below', label: 'Gaps', kind: 'choice' },
]
const column = (id: string, hidden = false): Column<object> => ({ id, header: id, hidden, cell: () => id })
const columns = [column('sku'), column('name'), column('cost', true)]

describe('the question a list asks', () => {
  it('takes only its own filters from the address; what the page fixed wins', () => {
    expect(listQuery({ q: 'tea', below: '', cols: 'sku', posting: 'x', sort: '-name' }, filters, { site_id: 's1' })).toEqual({ q: 'tea', sort: '-name', site_id: 's1' })
    expect(listQuery({ q: 'tea' }, filters, { q: 'coffee' })).toEqual({ q: 'coffee' })
  })
  it('sorts up, down, not at all', () => {
    expect(nextSort(undefined, 'name')).toBe('name')
    expect(nextSort('name', 'name')).toBe('-name')
    expect(nextSort('-name', 'name')).toBeNull()
    expect(nextSort('sku', 'name')).toBe('name')
  })
})

describe('columns', () => {
  it('shows the default ones, or the chosen ones in their own order', () => {
    expect(shownColumns(columns, {}).map((each) => each.id)).toEqual(['sku', 'name'])
    expect(shownColumns(columns, { cols: 'cost.sku' }).map((each) => each.id)).toEqual(['sku', 'cost'])
    expect(shownColumns(columns, { cols: 'gone' }).map((each) => each.id)).toEqual(['sku', 'name'])
  })
  it('keeps plain addresses plain', () => {
    expect(columnsWord(columns, new Set(['sku', 'name']))).toBeNull()
    expect(columnsWord(columns, new Set(['sku', 'cost']))).toBe('sku.cost')
  })
})

describe('saved views', () => {
  it('keep filters, columns and sort, and open them again', () => {
    const query = viewQuery({ q: 'tea & co', sort: 'name', cols: 'sku', site_id: 's1' }, filters)
    expect(viewPatch(query, { below: 'zero', site_id: 's1' }, filters)).toEqual({ below: null, q: 'tea & co', cols: 'sku', sort: 'name' })
  })
  it('the standard view empties what is ours and leaves the rest', () => {
    expect(viewPatch('', { q: 'tea', cols: 'sku', posting: 'x' }, filters)).toEqual({ q: null, cols: null })
  })
})

describe('keys and selection', () => {
  it('moves within the rows there are', () => {
    expect(moveFocus('ArrowDown', 4, 5, 10)).toBe(4)
    expect(moveFocus('PageUp', 4, 5, 10)).toBe(0)
    expect(moveFocus('End', 0, 5, 10)).toBe(4)
    expect(moveFocus('ArrowDown', 0, 0, 10)).toBeNull()
    expect(moveFocus('x', 0, 5, 10)).toBeNull()
  })
  it('selects one, or a range that follows the clicked row', () => {
    const ids = ['a', 'b', 'c', 'd']
    const one = toggleSelection(new Set(), ids, 1, null)
    expect([...one]).toEqual(['b'])
    const range = toggleSelection(one, ids, 3, 1)
    expect([...range].sort()).toEqual(['b', 'c', 'd'])
    expect([...toggleSelection(range, ids, 1, 3)]).toEqual([])
  })
})
