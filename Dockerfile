# One image for every actor; the command is the role: ["node", "services/sender/main.ts"]. TypeScript runs as it is (type stripping).
FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production

# Dependencies change seldom, so they are a layer of their own. The optional ones are Node 24 itself, which the base image has.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund --loglevel=error && npm cache clean --force && mkdir /etc/hato && chown node:node /etc/hato

COPY protocol ./protocol
COPY services ./services
COPY scripts ./scripts

USER node
# /healthz /readyz /metrics
EXPOSE 8080
# As many of these as you like, so it is the role that an image without a command gets.
CMD ["node", "services/sender/main.ts"]
