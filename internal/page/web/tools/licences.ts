import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

// licences writes licences.txt beside the page: the name, version and licence text of every package in the bundle.
export function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle(_, bundle) {
      const roots = new Set<string>()
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk') continue
        for (const id of Object.keys(part.modules)) {
          const root = packageRoot(id)
          if (root) roots.add(root)
        }
      }
      const texts = [...roots].sort().map(describe)
      const head = 'The page of Tagma contains these packages.\n'
      this.emitFile({
        type: 'asset',
        fileName: 'licences.txt',
        source: [head, ...texts].join(`\n${'-'.repeat(78)}\n\n`),
      })
    },
  }
}

// packageRoot is the folder of the package that a module's file belongs to; '' for the page's own modules.
function packageRoot(id: string): string {
  const path = id.replace(/^\0/, '').split('?')[0] ?? ''
  const at = path.lastIndexOf('/node_modules/')
  if (at < 0) return ''
  const rest = path.slice(at + '/node_modules/'.length).split('/')
  const name = rest[0]?.startsWith('@') ? rest.slice(0, 2) : rest.slice(0, 1)
  return join(path.slice(0, at), 'node_modules', ...name)
}

function describe(root: string): string {
  const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license: string
  }
  const file = existsSync(root) ? readdirSync(root).find(name => /^licen[cs]e(\.(md|txt))?$/i.test(name)) : undefined
  if (!file) throw new Error(`${about.name} has no licence file: the page must not contain it`)
  return `${about.name} ${about.version} (${about.license})\n\n${readFileSync(join(root, file), 'utf8').trim()}\n`
}
