import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { meQuery } from '../../../api/session'
import { Door } from '../../../ui/Door'
import { factorTexts } from '../../../ui/i18n/factorTexts'
import { useTexts } from '../../../ui/i18n/useTexts'
import { SecondFactor } from '../../../ui/SecondFactor'
import { useUrl } from '../../../ui/url'
import { safeNext } from '../../../values/paths'
import { loginTexts } from './loginTexts'

/** Where someone lands whose role asks for a second factor he has not set up yet. */
export function SecondFactorPage() {
  const t = useTexts(factorTexts)
  const l = useTexts(loginTexts)
  const client = useQueryClient()
  const navigate = useNavigate()
  const [{ next }] = useUrl()
  const done = async () => {
    await client.fetchQuery({ ...meQuery, staleTime: 0 })
    await navigate({ href: safeNext(next), replace: true })
  }
  return (
    <Door title={t('title')} lead={t('lead')} slogan={l('lead')} testId="page-second-factor">
      <SecondFactor onDone={done} />
    </Door>
  )
}
