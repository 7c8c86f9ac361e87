{{/* Argument: (dict "root" $ "name" name "component" component). */}}
{{- define "lipstream.deployment" -}}
{{- $root := .root -}}
{{- $component := .component -}}
{{- $full := printf "%s-%s" (include "lipstream.fullname" $root) .name -}}
{{- $ours := eq $component.kind "lipstream" -}}
{{- $launches := and (eq .name "avatar") (eq $root.Values.fits.where "kubernetes") -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $full }}
  labels: {{- include "lipstream.labels" . | nindent 4 }}
spec:
  {{- if eq $component.autoscaling.kind "none" }}
  replicas: {{ $component.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    # A GPU that is in use cannot hold the next version beside this one.
    rollingUpdate: {{ ternary (dict "maxSurge" 0 "maxUnavailable" 1) (dict "maxSurge" 1 "maxUnavailable" 0) (gt (int $component.gpus) 0) | toJson }}
  selector:
    matchLabels: {{- include "lipstream.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "lipstream.labels" . | nindent 8 }}
        {{- with $component.podLabels }}{{ toYaml . | nindent 8 }}{{- end }}
      annotations:
        {{- if $ours }}
        checksum/settings: {{ include "lipstream.settings" $root | sha256sum }}
        {{- end }}
        {{- if $launches }}
        checksum/fits: {{ include "lipstream.fitJob" $root | sha256sum }}
        {{- end }}
        {{- with $component.podAnnotations }}{{ toYaml . | nindent 8 }}{{- end }}
    spec:
      serviceAccountName: {{ include "lipstream.fullname" $root }}{{ if $launches }}-fits{{ end }}
      automountServiceAccountToken: {{ $launches }}
      # Else variables named after our services would be taken for settings.
      enableServiceLinks: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- include "lipstream.podSecurity" . | nindent 8 }}
      # The pause before SIGTERM, the drain, and time to end.
      terminationGracePeriodSeconds: {{ add 5 (int $component.drainSeconds) 10 }}
      {{- with include "lipstream.placement" (dict "root" $root "pool" $component.pool) | trim }}{{ . | nindent 6 }}{{- end }}
      {{- with include "lipstream.spread" . | trim }}{{ . | nindent 6 }}{{- end }}
      {{- if not $ours }}
      initContainers:
        - name: models
          image: {{ include "lipstream.image" (dict "root" $root "image" "cpu") }}
          imagePullPolicy: {{ $root.Values.imagePullPolicy }}
          command: [cp, -r, /opt/lipstream/model_repository/., /models]
          securityContext: {{- include "lipstream.containerSecurity" . | nindent 12 }}
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 256Mi}}
          volumeMounts: [{name: models, mountPath: /models}]
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ include "lipstream.image" (dict "root" $root "image" $component.image) }}
          imagePullPolicy: {{ $root.Values.imagePullPolicy }}
          # Our images begin by putting their compiled kernels where numba may write.
          {{ ternary "args" "command" $ours }}: {{- toYaml $component.command | nindent 12 }}
          {{- if $ours }}
          envFrom:
            - configMapRef: {name: {{ include "lipstream.fullname" $root }}-settings}
            {{- with $component.envFrom }}{{ toYaml . | nindent 12 }}{{- end }}
          env:
            {{- include "lipstream.connections" $root | trim | nindent 12 }}
            - {name: LIPSTREAM_DRAIN_S, value: {{ $component.drainSeconds | quote }}}
            {{- with $component.ports.http }}
            - {name: LIPSTREAM_GATEWAY_PORT, value: {{ . | quote }}}
            {{- end }}
            {{- with $component.ports.grpc }}
            - {name: LIPSTREAM_GRPC_PORT, value: {{ . | quote }}}
            {{- end }}
            {{- with $component.ports.metrics }}
            - {name: LIPSTREAM_METRICS_PORT, value: {{ . | quote }}}
            {{- end }}
            {{- if eq .name "avatar" }}
            - {name: LIPSTREAM_FITS, value: {{ $root.Values.fits.where }}}
            - {name: LIPSTREAM_WORKER_CONCURRENCY, value: {{ $root.Values.fits.parallel | quote }}}
            {{- end }}
            {{- if $launches }}
            - {name: LIPSTREAM_FIT_TEMPLATE, value: /etc/lipstream/job.yaml}
            {{- end }}
            {{- range $key, $text := $component.env }}
            - {name: {{ $key }}, value: {{ $text | quote }}}
            {{- end }}
          {{- else if $component.env }}
          env:
            {{- range $key, $text := $component.env }}
            - {name: {{ $key }}, value: {{ $text | quote }}}
            {{- end }}
          {{- end }}
          ports:
            {{- range $key, $port := $component.ports }}
            - {name: {{ $key }}, containerPort: {{ $port }}}
            {{- end }}
          startupProbe:
            httpGet: {path: {{ $component.probes.alive }}, port: {{ $component.probes.port }}}
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: {{ div $component.probes.startupSeconds 2 }}
          readinessProbe:
            httpGet: {path: {{ $component.probes.ready }}, port: {{ $component.probes.port }}}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          livenessProbe:
            httpGet: {path: {{ $component.probes.alive }}, port: {{ $component.probes.port }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          lifecycle:
            # Callers learn first that this pod leaves.
            preStop: {exec: {command: [sleep, "5"]}}
          securityContext: {{- include "lipstream.containerSecurity" . | nindent 12 }}
          resources: {{- include "lipstream.resources" . | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if $ours }}
            - {name: data, mountPath: /var/lib/lipstream}
            {{- if $root.Values.objectStore.bundled.enabled }}
            - {name: objects, mountPath: /objects}
            {{- end }}
            {{- else }}
            - {name: models, mountPath: /models, readOnly: true}
            {{- end }}
            {{- if and $ours $root.Values.stageTls.secret }}
            - {name: tls, mountPath: /etc/lipstream-tls, readOnly: true}
            {{- end }}
            {{- if $launches }}
            - {name: fits, mountPath: /etc/lipstream, readOnly: true}
            {{- end }}
            {{- if $component.sharedMemory }}
            - {name: shm, mountPath: /dev/shm}
            {{- end }}
            {{- with $component.volumeMounts }}{{ toYaml . | nindent 12 }}{{- end }}
        {{- if not $ours }}
        # The server's own readiness does not notice that a model's process died; this one does, and
        # loads it again.
        - name: watch
          image: {{ include "lipstream.image" (dict "root" $root "image" "cpu") }}
          imagePullPolicy: {{ $root.Values.imagePullPolicy }}
          command: [python, -m, lipstream.inference, watch, "triton://127.0.0.1:{{ $component.ports.grpc }}"]
          env:
            - {name: LIPSTREAM_HOST, value: 0.0.0.0}
            - {name: LIPSTREAM_METRICS_PORT, value: {{ include "lipstream.watchPort" . | quote }}}
          ports: [{name: watch, containerPort: {{ include "lipstream.watchPort" . }}}]
          readinessProbe:
            httpGet: {path: /readyz, port: watch}
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 2
          livenessProbe:
            httpGet: {path: /healthz, port: watch}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          securityContext: {{- include "lipstream.containerSecurity" . | nindent 12 }}
          resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
        {{- end }}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: {{ $component.scratch }}}}
        {{- if $ours }}
        - {name: data, emptyDir: {sizeLimit: {{ $component.scratch }}}}
        {{- if $root.Values.objectStore.bundled.enabled }}
        - {name: objects, persistentVolumeClaim: {claimName: {{ include "lipstream.fullname" $root }}-objects}}
        {{- end }}
        {{- else }}
        - {name: models, emptyDir: {sizeLimit: {{ $component.scratch }}}}
        {{- end }}
        {{- if and $ours $root.Values.stageTls.secret }}
        - {name: tls, secret: {secretName: {{ $root.Values.stageTls.secret }}, defaultMode: 0440}}
        {{- end }}
        {{- if $launches }}
        - {name: fits, configMap: {name: {{ include "lipstream.fullname" $root }}-fits}}
        {{- end }}
        {{- if $component.sharedMemory }}
        - {name: shm, emptyDir: {medium: Memory, sizeLimit: {{ $component.sharedMemory }}}}
        {{- end }}
        {{- with $component.volumes }}{{ toYaml . | nindent 8 }}{{- end }}
{{- end -}}

{{/* Replicas apart from each other, where the cluster can. */}}
{{- define "lipstream.spread" -}}
{{- $keys := list -}}
{{- if .component.spread.zones }}{{ $keys = append $keys "topology.kubernetes.io/zone" }}{{ end -}}
{{- if .component.spread.nodes }}{{ $keys = append $keys "kubernetes.io/hostname" }}{{ end -}}
{{- if $keys }}
topologySpreadConstraints:
  {{- range $key := $keys }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "lipstream.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}
