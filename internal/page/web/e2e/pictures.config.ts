import { defineConfig } from '@playwright/test'
import config from './playwright.config.ts'

// The pictures of the documentation, made from the real thing: `make page-pictures`.
export default defineConfig({ ...config, testMatch: 'pictures.ts', timeout: 240_000 })
