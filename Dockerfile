FROM node:24.21-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

# Example of another subgraph: the service "employees" in docker-compose.yml.
FROM packages AS employees
COPY test/support/employees employees
USER node
CMD ["node", "employees/server.js"]

FROM packages AS build
COPY build.js LICENSE tsconfig.json ./
COPY notices notices
COPY schema/operations schema/operations
COPY src src
RUN npm run build

# The built program contains its packages and is pure JavaScript, so it does not depend on the C library of the build image.
FROM node:24.21-alpine
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY schema/persisted-documents.json schema/
COPY --from=build /app/dist dist
USER node
EXPOSE 4000
# Uses the container's own address: a gateway that listens on loopback only cannot be reached from outside the container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const { address } = Object.values(os.networkInterfaces()).flat().find((a) => !a.internal && a.family === 'IPv4') ?? { address: '127.0.0.1' }; http.get({ host: address, port: Number(process.env.PORT) || 4000, path: '/health/live', headers: { host: 'localhost' } }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=64", "dist/main.js"]
