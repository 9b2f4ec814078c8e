import { Alert, Badge, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import { asProblem } from '../../../api/problem'
import { useMay } from '../../../api/session'
import type { Location, Register } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { MoveCarrier } from './MoveCarrier'
import { PlaceForm } from './PlaceForm'
import { placeTexts } from './texts'
import { CARRIERS, isVirtual } from './tree'

type Again = () => Promise<unknown>

/** One place: what it is, what is inside, its tills; edit, add inside, close. */
export function PlaceView({ place, places, again }: { place: Location; places: Location[]; again: Again }) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const word = useWord(words)
  const may = useMay()
  const [doing, setDoing] = useState<'edit' | 'create' | 'close' | null>(null)
  const box = useRef<HTMLDivElement>(null)
  // On a narrow screen the place stands below its tree: bring it into sight.
  useEffect(() => {
    if (window.matchMedia('(max-width: 62em)').matches) box.current?.scrollIntoView({ block: 'start' })
  }, [])
  const inside = places.filter((each) => each.parent_id === place.id)
  const virtual = isVirtual(place)
  const writable = may('locations:write', place.site_id) && !virtual
  const shut = useMutation({
    mutationFn: (closed_at: string | null) => api.patch<Location>('/v1/locations/{id}', { closed_at }, { path: { id: place.id }, ifMatch: place.version }),
    onSuccess: async (after) => {
      notifyDone(t(after.closed_at ? 'closedDone' : 'reopened'))
      setDoing(null)
      await again()
    },
  })
  return (
    <div ref={box} className={css.stack} style={{ scrollMarginTop: 64 }} data-testid="place">
      <Panel
        title={`${place.code} · ${place.name}`}
        id="place-title"
        actions={
          writable ? (
            <Group gap="xs">
              {(CARRIERS as readonly string[]).includes(place.kind) && !place.closed_at && may('stock:move', place.site_id) ? <MoveCarrier key={place.id} carrier={place} again={again} /> : null}
              <Button size="xs" variant="default" leftSection={<Icon name="edit" size={14} />} onClick={() => setDoing('edit')} data-testid="edit-place">
                {s('edit')}
              </Button>
              {place.kind !== 'bin' && !place.closed_at ? (
                <Button size="xs" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={() => setDoing('create')} data-testid="add-inside">
                  {t('addInside')}
                </Button>
              ) : null}
            </Group>
          ) : null
        }
      >
        <Stack>
          <Facts
            facts={[
              [t('path'), <span key="p" className="mono">{place.path}</span>],
              [s('kind'), <span key="k">{word(place.kind)} {virtual ? <Badge color="gray">{t('virtualBadge')}</Badge> : null}</span>],
              [t('role'), place.role ? word(place.role) : null],
              [t('sells'), virtual ? null : s(place.sells ? 'yes' : 'no')],
              [t('timeZone'), place.time_zone],
              [t('dayStart'), place.day_start],
              [t('coordinates'), place.latitude !== null && place.longitude !== null ? `${place.latitude}, ${place.longitude}` : null],
              [t('externalId'), place.external_id],
              [t('closedAt'), place.closed_at ? <When key="c" at={place.closed_at} /> : null],
            ]}
          />
          {virtual ? <Text size="sm" c="dimmed">{t('virtualHint')}</Text> : null}
          <Group gap="xs">
            {place.site_id && may('stock:read', place.site_id) ? (
              <Button component={Go} size="xs" variant="default" href={paths.stock({ site_id: place.site_id })}>
                {t('stockHere')}
              </Button>
            ) : null}
            {writable && doing !== 'close' ? (
              place.closed_at ? (
                <Button size="xs" variant="default" loading={shut.isPending} onClick={() => shut.mutate(null)}>{t('reopen')}</Button>
              ) : (
                <Button size="xs" variant="default" onClick={() => setDoing('close')} data-testid="close-place">{t('close')}</Button>
              )
            ) : null}
          </Group>
          {doing === 'close' ? (
            <Alert color="amber" title={t('closeTitle', { name: place.name })}>
              <Text size="sm" mb="sm">{t('closeHint')}</Text>
              <Group>
                <Button color="brick" loading={shut.isPending} onClick={() => shut.mutate(new Date().toISOString())} data-testid="close-confirm">{t('close')}</Button>
                <Button variant="default" onClick={() => setDoing(null)}>{s('cancel')}</Button>
              </Group>
            </Alert>
          ) : null}
          {shut.error ? <Problem error={shut.error} /> : null}
        </Stack>
      </Panel>
      {inside.length ? (
        <Panel title={t('inside')} id="place-inside">
          <table className={css.rows}>
            <tbody>
              {inside.slice(0, 100).map((each) => (
                <tr key={each.id}>
                  <th scope="row"><Go className="mono" href={paths.location(each.id)}>{each.code}</Go></th>
                  <td>{each.name}</td>
                  <td>{word(each.kind)}{each.role ? ` · ${word(each.role)}` : ''}</td>
                  <td className={css.n}>{each.closed_at ? <Badge color="gray">{t('closed')}</Badge> : each.sells ? t('sellsYes') : t('sellsNo')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
      ) : null}
      {place.kind === 'store' || place.kind === 'warehouse' ? <Registers place={place} /> : null}
      <PlaceForm opened={doing === 'create'} parent={place} onClose={() => setDoing(null)} onDone={again} />
      <PlaceForm opened={doing === 'edit'} parent={null} place={place} onClose={() => setDoing(null)} onDone={again} />
    </div>
  )
}

function Registers({ place }: { place: Location }) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const may = useMay()
  const client = useQueryClient()
  const [adding, setAdding] = useState(false)
  const found = useQuery({ queryKey: ['registers'], queryFn: () => readAll<Register>('/v1/registers'), staleTime: 30_000 })
  const here = (found.data ?? []).filter((register) => register.site_id === place.id)
  return (
    <Panel
      title={t('registers')}
      id="place-registers"
      actions={
        may('locations:write', place.site_id) && !place.closed_at ? (
          <Button size="xs" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)} data-testid="new-register">
            {t('newRegister')}
          </Button>
        ) : null
      }
    >
      {found.error ? (
        <Problem error={found.error} retry={() => void found.refetch()} />
      ) : found.isPending ? (
        <Loading />
      ) : here.length ? (
        <table className={css.rows} data-testid="registers">
          <tbody>
            {here.map((register) => (
              <tr key={register.id}>
                <th scope="row" className="mono">{register.code}</th>
                <td>{register.name}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <Text size="sm" c="dimmed">{t('noRegisters')}</Text>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('registerTitle', { name: place.name })} closeButtonProps={{ 'aria-label': s('close') }}>
        <RegisterForm place={place} onClose={() => setAdding(false)} onDone={() => client.invalidateQueries({ queryKey: ['registers'] })} />
      </Modal>
    </Panel>
  )
}

function RegisterForm({ place, onClose, onDone }: { place: Location; onClose: () => void; onDone: Again }) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const [id, setId] = useState(() => uuid7())
  const [code, setCode] = useState('')
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const make = useMutation({
    mutationFn: () => api.post('/v1/registers', { id, code: code.trim(), name: name.trim(), location_id: place.id }),
    onSuccess: async () => {
      notifyDone(t('created'))
      onClose()
      await onDone()
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (code.trim() && name.trim()) make.mutate()
      }}
    >
      <Stack data-testid="register-form">
        <TextInput label={s('code')} description={t('registerHint')} data-autofocus value={code} maxLength={60} error={tried && !code.trim() ? t('codeNeeded') : null} onChange={(event) => setCode(event.currentTarget.value)} data-testid="register-code" />
        <TextInput label={s('name')} value={name} maxLength={200} error={tried && !name.trim() ? t('nameNeeded') : null} onChange={(event) => setName(event.currentTarget.value)} data-testid="register-name" />
        {make.error ? <Problem error={make.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
          <Button type="submit" loading={make.isPending} data-testid="register-save">{s('create')}</Button>
        </Group>
      </Stack>
    </form>
  )
}
