import { describe, expect, it } from 'vitest'

import type { Location } from '../../../api/types'
import { isVirtual, visibleNodes, wayTo } from './tree'

const place = (id: string, parent_id: string | null, kind = 'bin') => ({ id, code: id, name: `name ${id}`, path: id, parent_id, kind }) as Location
const all = [place('W', null, 'warehouse'), place('Z10', 'W', 'zone'), place('Z2', 'W', 'zone'), place('B1', 'Z2'), place('S', null, 'store')]
const shown = (opened: string[], find?: string) => visibleNodes(all, new Set(opened), find).map((node) => `${'-'.repeat(node.depth)}${node.place.id}`)

describe('the tree', () => {
  it('shows what is open, in the order people count', () => {
    expect(shown([])).toEqual(['S', 'W'])
    expect(shown(['W'])).toEqual(['S', 'W', '-Z2', '-Z10'])
    expect(shown(['W', 'Z2'])).toEqual(['S', 'W', '-Z2', '--B1', '-Z10'])
  })
  it('opens the way to what is searched', () => expect(shown([], 'b1')).toEqual(['W', '-Z2', '--B1']))
  it('knows the way up', () => expect(wayTo(all, 'B1')).toEqual(['Z2', 'W']))
  it('treats a place whose parent is out of reach as a root', () => expect(visibleNodes([place('B9', 'gone')], new Set()).map((node) => node.depth)).toEqual([0]))
  it('knows rooms from ideas', () => {
    expect(isVirtual({ kind: 'customer' })).toBe(true)
    expect(isVirtual({ kind: 'aisle' })).toBe(false)
  })
})
