/** A refusal of the server: problem+json. `code` is stable and chooses the text; `detail` is the server's English. */
export type ProblemBody = {
  status: number
  code: string
  title?: string
  detail?: string
  param?: string | null
  request_id?: string
  retryable?: boolean
  details?: { param?: string; code?: string; detail?: string }[]
  [more: string]: unknown
}

export class ApiProblem extends Error {
  readonly body: ProblemBody

  constructor(body: ProblemBody) {
    super(body.detail ?? body.title ?? body.code)
    this.name = 'ApiProblem'
    this.body = body
  }

  get code(): string {
    return this.body.code
  }

  get status(): number {
    return this.body.status
  }
}

/** No answer at all: cable out, server down. */
export function unreachable(): ApiProblem {
  return new ApiProblem({ status: 0, code: 'unreachable', retryable: true })
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  try {
    const body = (await response.clone().json()) as Partial<ProblemBody>
    if (typeof body.code === 'string') return new ApiProblem({ ...body, status: response.status, code: body.code })
  } catch {
    // Not JSON: a proxy's page, or a crash before our handler.
  }
  return new ApiProblem({ status: response.status, code: `http_${response.status}` })
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (error instanceof TypeError) return unreachable()
  return new ApiProblem({ status: 0, code: 'unexpected', detail: error instanceof Error ? error.message : String(error) })
}
