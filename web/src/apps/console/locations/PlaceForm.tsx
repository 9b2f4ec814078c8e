import { Button, Group, Modal, Select, Stack, Switch, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { useMe } from '../../../api/session'
import type { Location } from '../../../api/types'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { fromTyped } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { placeTexts } from './texts'
import { CARRIERS, INNER, ROLES, SITES } from './tree'

type Props = { opened: boolean; /** Where a new one goes; null = a site of its own. */ parent: Location | null; /** The one to change. */ place?: Location; onClose: () => void; onDone: () => Promise<unknown> }

export function PlaceForm({ opened, parent, place, onClose, onDone }: Props) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const title = place ? t('editTitle', { name: place.name }) : parent ? t('createTitle', { name: parent.path }) : t('createSite')
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': s('close') }}>
      <Form parent={parent} place={place} onClose={onClose} onDone={onDone} />
    </Modal>
  )
}

function Form({ parent, place, onClose, onDone }: Omit<Props, 'opened'>) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const word = useWord(words)
  const formats = useFormats()
  const me = useMe()
  const navigate = useNavigate()
  const kinds: readonly string[] = place ? [place.kind] : parent ? [...INNER, ...CARRIERS] : SITES
  const local = (value: number | null | undefined) => (value === null || value === undefined ? '' : String(value).replace('.', formats.decimalMark))
  const [id, setId] = useState(() => uuid7())
  const [code, setCode] = useState(place?.code ?? '')
  const [name, setName] = useState(place?.name ?? '')
  const [kind, setKind] = useState<string>(place?.kind ?? (parent ? nextKind(parent.kind) : 'store'))
  const [role, setRole] = useState<string>(place?.role ?? '')
  const [sells, setSells] = useState(place?.sells ?? true)
  const [zone, setZone] = useState(place?.time_zone ?? me?.organisation?.time_zone ?? 'UTC')
  const [dayStart, setDayStart] = useState(place?.day_start ?? '00:00')
  const [latitude, setLatitude] = useState(local(place?.latitude))
  const [longitude, setLongitude] = useState(local(place?.longitude))
  const [externalId, setExternalId] = useState(place?.external_id ?? '')
  const [tried, setTried] = useState(false)
  const isSite = SITES.includes(kind as (typeof SITES)[number])
  const number = (typed: string) => (typed.trim() ? fromTyped(typed, formats.decimalMark) : null)
  const bad = (typed: string) => (typed.trim() && number(typed) === null ? t('badNumber') : null)
  const coordinate = (typed: string) => {
    const text = number(typed)
    return text === null ? null : Number(text)
  }
  const save = useMutation({
    mutationFn: () => {
      const common = {
        code: code.trim(),
        name: name.trim(),
        role: role || null,
        sells,
        external_id: externalId.trim() || null,
        ...(isSite ? { time_zone: zone, day_start: dayStart, latitude: coordinate(latitude), longitude: coordinate(longitude) } : {}),
      }
      if (!place) return api.post<Location>('/v1/locations', { id, kind, parent_id: parent?.id ?? null, ...common })
      return api.patch<Location>('/v1/locations/{id}', common, { path: { id: place.id }, ifMatch: place.version })
    },
    onSuccess: async (made) => {
      notifyDone(t(place ? 'saved' : 'created'))
      onClose()
      await onDone()
      if (!place) await navigate({ href: paths.location(made.id) })
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const valid = code.trim() && name.trim() && !bad(latitude) && !bad(longitude)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) save.mutate()
      }}
    >
      <Stack gap="sm" data-testid="place-form">
        <Group grow align="flex-start">
          <TextInput label={s('code')} data-autofocus value={code} maxLength={60} error={tried && !code.trim() ? t('codeNeeded') : null} onChange={(event) => setCode(event.currentTarget.value)} data-testid="place-code" />
          <TextInput label={s('name')} value={name} maxLength={200} error={tried && !name.trim() ? t('nameNeeded') : null} onChange={(event) => setName(event.currentTarget.value)} data-testid="place-name" />
        </Group>
        <Group grow align="flex-start">
          <Select label={t('kindLabel')} data={kinds.map((each) => ({ value: each, label: word(each) }))} value={kind} onChange={(next) => setKind(next ?? kind)} allowDeselect={false} disabled={Boolean(place)} data-testid="place-kind" />
          <Select label={t('role')} data={[{ value: '', label: t('roleNone') }, ...ROLES.map((each) => ({ value: each, label: word(each) }))]} value={role} onChange={(next) => setRole(next ?? '')} allowDeselect={false} />
        </Group>
        <Switch label={t('sells')} checked={sells} onChange={(event) => setSells(event.currentTarget.checked)} />
        {isSite ? (
          <>
            <Group grow align="flex-start">
              <Select label={t('timeZone')} data={Intl.supportedValuesOf('timeZone').concat(Intl.supportedValuesOf('timeZone').includes('UTC') ? [] : ['UTC'])} value={zone} onChange={(next) => setZone(next ?? zone)} allowDeselect={false} searchable limit={60} />
              <TextInput label={t('dayStart')} type="time" value={dayStart} onChange={(event) => setDayStart(event.currentTarget.value || '00:00')} />
            </Group>
            <Group grow align="flex-start">
              <TextInput label={`${t('latitude')} (${s('optional')})`} inputMode="decimal" value={latitude} error={bad(latitude)} onChange={(event) => setLatitude(event.currentTarget.value)} />
              <TextInput label={`${t('longitude')} (${s('optional')})`} inputMode="decimal" value={longitude} error={bad(longitude)} onChange={(event) => setLongitude(event.currentTarget.value)} />
            </Group>
          </>
        ) : null}
        <TextInput label={`${t('externalId')} (${s('optional')})`} value={externalId} maxLength={200} onChange={(event) => setExternalId(event.currentTarget.value)} />
        {save.error ? <Problem error={save.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
          <Button type="submit" loading={save.isPending} data-testid="place-save">{place ? s('save') : s('create')}</Button>
        </Group>
      </Stack>
    </form>
  )
}

/** What usually stands inside: a zone in a site, an aisle in a zone, and so on down to bins. */
function nextKind(kind: string): string {
  const at = INNER.indexOf(kind as (typeof INNER)[number])
  return INNER[Math.min(at + 1, INNER.length - 1)]!
}
