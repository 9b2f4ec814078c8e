import { api } from '../../../api/client'
import type { ImportKind } from '../../../api/types'

export const kindsQuery = { queryKey: ['import-kinds'], queryFn: () => api.get<ImportKind[]>('/v1/import-kinds'), staleTime: 300_000 }
