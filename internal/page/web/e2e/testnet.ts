import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Where `make page-e2e` puts the program.
const PROGRAM = process.env.TAGMA_TESTNET ?? join(import.meta.dirname, '../../../../build/tagma-testnet')

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/

// Testnet is a tagma-testnet command that shows itself on a page.
export class Testnet {
  readonly address: string
  readonly dir: string
  private readonly child: ChildProcess
  private readonly said: string[]
  private constructor(child: ChildProcess, dir: string, address: string, said: string[]) {
    this.child = child
    this.dir = dir
    this.address = address
    this.said = said
  }

  // start runs a command, such as `start --ui`, and returns when it has printed the address of its page.
  static async start(...args: string[]): Promise<Testnet> {
    const dir = await mkdtemp(join(tmpdir(), 'tagma-page-'))
    const child = spawn(
      PROGRAM,
      args.map(a => a.replace('DIR', dir)),
      { cwd: join(import.meta.dirname, '../../../..') },
    )
    const said: string[] = []
    const address = await new Promise<string>((resolve, reject) => {
      const read = (data: Buffer) => {
        said.push(data.toString())
        const found = ADDRESS.exec(said.join(''))
        if (found) resolve(found[0])
      }
      child.stdout?.on('data', read)
      child.stderr?.on('data', read)
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`${args.join(' ')} ended with ${code}:\n${said.join('')}`)))
    })
    return new Testnet(child, dir, address, said)
  }

  // url is where the page lies, without its token.
  get url(): string {
    return this.address.replace(/#.*/, '')
  }

  get token(): string {
    return this.address.replace(/.*#token=/, '')
  }

  get output(): string {
    return this.said.join('')
  }

  // ask reads from the server as the page does.
  async ask<T>(path: string): Promise<T> {
    const answer = await fetch(this.url + path, { headers: { Authorization: `Bearer ${this.token}` } })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }

  // stop interrupts the command and waits until it has ended with all its replicas.
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise(resolve => this.child.once('exit', resolve))
      this.child.kill('SIGINT')
      await ended
    }
    await rm(this.dir, { recursive: true, force: true })
  }
}
