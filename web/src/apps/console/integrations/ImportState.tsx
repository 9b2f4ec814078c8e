import { Badge } from '@mantine/core'

import type { ImportRow } from '../../../api/types'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { importTexts } from './texts'

const COLORS: Record<string, string> = { imported: 'spruce', checked: 'spruce', refused: 'brick', failed: 'brick', running: 'amber', queued: 'amber' }

export function ImportState({ row }: { row: ImportRow }) {
  const t = useTexts(importTexts)
  const word = useWord(words)
  const state = row.state === 'done' || row.outcome === 'refused' ? (row.outcome ?? row.state) : row.state
  const text = state === 'draft' || state === 'checked' || state === 'refused' || state === 'imported' ? t(state) : word(state)
  return <Badge color={COLORS[state] ?? 'gray'}>{text}</Badge>
}
