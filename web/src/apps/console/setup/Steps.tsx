import { Select, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'

import { api } from '../../../api/client'
import { useMe } from '../../../api/session'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { fromTyped, shift } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { Lines } from './Lines'
import { setupTexts } from './texts'

const ROLES = ['manager', 'clerk', 'cashier', 'purchasing', 'finance', 'admin'] as const

/** Stores and warehouses; each store gets its first till. */
export function Places({ next }: { next: () => void }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const word = useWord(words)
  const client = useQueryClient()
  const zone = useMe()?.organisation?.time_zone
  const save = async (line: { id: string; code: string; name: string; kind: string }) => {
    await api.post('/v1/locations', { id: line.id, code: line.code.trim(), name: line.name.trim(), kind: line.kind, ...(zone ? { time_zone: zone } : {}) })
    if (line.kind === 'store') {
      const code = `${line.code.trim()}-1`
      await api.post('/v1/registers', { id: uuid7(), code, name: t('register', { code }), location_id: line.id })
    }
    await client.invalidateQueries({ queryKey: ['sites'] })
  }
  return (
    <Lines
      first={[{ code: 'S01', name: '', kind: 'store' }]}
      blank={() => ({ code: '', name: '', kind: 'store' })}
      addLabel={t('addPlace')}
      isEmpty={(line) => !line.name.trim() && (!line.code.trim() || line.code === 'S01')}
      isWhole={(line) => Boolean(line.code.trim() && line.name.trim())}
      complaint={t('incomplete')}
      next={next}
      save={save}
      draw={(line, set) => (
        <>
          <TextInput label={s('code')} w={110} value={line.code} onChange={(event) => set({ code: event.currentTarget.value })} data-testid="place-code" />
          <TextInput label={s('name')} style={{ flex: '1 1 160px' }} value={line.name} onChange={(event) => set({ name: event.currentTarget.value })} data-testid="place-name" />
          <Select label={s('kind')} w={140} data={['store', 'warehouse'].map((kind) => ({ value: kind, label: word(kind) }))} value={line.kind} allowDeselect={false} onChange={(kind) => set({ kind: kind ?? 'store' })} />
        </>
      )}
    />
  )
}

export function Taxes({ next }: { next: () => void }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const { decimalMark } = useFormats()
  const percent = (typed: string) => fromTyped(typed.replace('%', ''), decimalMark)
  return (
    <Lines
      first={[{ code: '', name: '', rate: '' }]}
      blank={() => ({ code: '', name: '', rate: '' })}
      addLabel={t('addTax')}
      isEmpty={(line) => !line.code.trim() && !line.name.trim() && !line.rate.trim()}
      isWhole={(line) => Boolean(line.code.trim() && line.name.trim() && percent(line.rate))}
      complaint={t('badRate')}
      next={next}
      save={(line) => api.post('/v1/tax-codes', { id: line.id, code: line.code.trim(), name: line.name.trim(), rate: shift(percent(line.rate)!, -2) })}
      draw={(line, set) => (
        <>
          <TextInput label={s('code')} w={110} value={line.code} onChange={(event) => set({ code: event.currentTarget.value })} />
          <TextInput label={s('name')} style={{ flex: '1 1 160px' }} value={line.name} onChange={(event) => set({ name: event.currentTarget.value })} />
          <TextInput label={t('rate')} w={110} inputMode="decimal" value={line.rate} onChange={(event) => set({ rate: event.currentTarget.value })} />
        </>
      )}
    />
  )
}

export function People({ next }: { next: () => void }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const word = useWord(words)
  return (
    <Lines
      first={[{ name: '', email: '', role: 'manager' }]}
      blank={() => ({ name: '', email: '', role: 'cashier' })}
      addLabel={t('addPerson')}
      isEmpty={(line) => !line.name.trim() && !line.email.trim()}
      isWhole={(line) => Boolean(line.name.trim() && line.email.includes('@'))}
      complaint={t('incomplete')}
      next={next}
      save={(line) => api.post('/v1/invitations', { id: line.id, email: line.email.trim(), name: line.name.trim(), assignments: [{ role: line.role, location_id: null }] })}
      draw={(line, set) => (
        <>
          <TextInput label={s('name')} style={{ flex: '1 1 140px' }} value={line.name} onChange={(event) => set({ name: event.currentTarget.value })} />
          <TextInput label={s('email')} type="email" style={{ flex: '1 1 180px' }} value={line.email} onChange={(event) => set({ email: event.currentTarget.value })} />
          <Select label={t('role')} w={150} data={ROLES.map((role) => ({ value: role, label: word(role) }))} value={line.role} allowDeselect={false} onChange={(role) => set({ role: role ?? 'cashier' })} />
        </>
      )}
    />
  )
}
