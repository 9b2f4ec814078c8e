import { Alert, Progress, Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { meQuery, setupQuery } from '../../../api/session'
import { Door } from '../../../ui/Door'
import { Go } from '../../../ui/Go'
import { useTexts } from '../../../ui/i18n/useTexts'
import { SecondFactor } from '../../../ui/SecondFactor'
import { Loading } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { Business, You, type BusinessIn } from './Begin'
import { Products } from './Products'
import { Sale } from './Sale'
import { People, Places, Taxes } from './Steps'
import { setupTexts } from './texts'

const STEPS = ['business', 'you', 'factor', 'places', 'taxes', 'people', 'products', 'sale'] as const

/** The first run: organisation and admin are made at once; every later step saves by itself and can be skipped. */
export function SetupPage() {
  const t = useTexts(setupTexts)
  const client = useQueryClient()
  const navigate = useNavigate()
  const setup = useQuery(setupQuery)
  const me = useQuery({ ...meQuery, enabled: setup.data?.needed === false })
  const [at, setAt] = useState<number | null>(null)
  const [business, setBusiness] = useState<BusinessIn | null>(null)

  if (setup.isPending || (setup.data?.needed === false && me.isPending)) return <Loading />
  // Who reloads half way goes on after the part that made the account.
  const needsFactor = Boolean(me.data?.totp_required && !me.data.totp_enabled)
  const from = at ?? (me.data ? 2 : 0)
  const step = from === 2 && me.data && !needsFactor ? 3 : from
  const next = () => setAt(step + 1)
  const finish = async (href: string) => {
    await api.patch('/v1/organisation', { setup_done: true }).catch(() => {})
    await client.invalidateQueries()
    await navigate({ href })
  }
  if (setup.data && !setup.data.needed && !me.data) {
    return (
      <Door title={t('title')} slogan={t('slogan')} testId="page-setup">
        <Alert mb="md">{t('alreadyDone')}</Alert>
        <Go href={paths.login()}>{t('toLogin')}</Go>
      </Door>
    )
  }
  const name = STEPS[Math.min(step, STEPS.length - 1)]!
  return (
    <Door title={t(name)} lead={t(`${name}Lead`)} slogan={t('slogan')} wide testId="page-setup">
      <Stack gap="lg" data-testid={`step-${name}`}>
        <div>
          <Text size="sm" c="dimmed" mb={4}>
            {t('step', { count: step + 1, total: STEPS.length })}
          </Text>
          <Progress value={((step + 1) / STEPS.length) * 100} size="sm" aria-label={t('title')} />
        </div>
        {name === 'business' ? <Business first={business} onDone={(given) => (setBusiness(given), next())} /> : null}
        {name === 'you' ? <You business={business!} onBack={() => setAt(0)} onDone={async () => (await Promise.all([client.invalidateQueries({ queryKey: ['setup'] }), client.fetchQuery({ ...meQuery, staleTime: 0 })]), setAt(2))} /> : null}
        {name === 'factor' ? <SecondFactor onDone={async () => (await client.fetchQuery({ ...meQuery, staleTime: 0 }), setAt(3))} /> : null}
        {name === 'places' ? <Places next={next} /> : null}
        {name === 'taxes' ? <Taxes next={next} /> : null}
        {name === 'people' ? <People next={next} /> : null}
        {name === 'products' ? <Products next={next} onImport={() => void finish(paths.imports())} /> : null}
        {name === 'sale' ? <Sale finish={() => void finish(paths.overview())} /> : null}
      </Stack>
    </Door>
  )
}
