# The program and the restic it was tested with, on a base without a shell.
#   docker build -t breaking-backups .        one architecture; with buildx --platform linux/amd64,linux/arm64 both
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS TARGETARCH
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH
RUN mkdir -p /out/bin /out/backup

# restic changes seldom: its layer is kept while its pins stay the same. The tag is the one restic's releases have.
COPY testdata/tools/go.mod testdata/tools/go.sum /src/testdata/tools/
RUN cd /src/testdata/tools && go build -trimpath -tags disable_grpc_modules -ldflags '-s -w' -o /out/bin/restic github.com/restic/restic/cmd/restic

WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/bin/breaking-backups ./cmd/breaking-backups

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=devel
LABEL org.opencontainers.image.title="breaking-backups" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/breaking-backups/breaking-backups"
# The root is read-only: what restic writes while it runs goes to /tmp, a tmpfs. /backup is for the spool and the
# log; a volume mounted there takes over its owner.
ENV TMPDIR=/tmp RESTIC_CACHE_DIR=/tmp/restic-cache
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build --chown=65532:65532 /out/backup /backup
# nonroot, by number: a name is more than Kubernetes can check for runAsNonRoot.
USER 65532:65532
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/breaking-backups"]
CMD ["start"]
