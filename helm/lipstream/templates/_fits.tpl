{{/* The Job of one fit. The avatar service adds its name, the job's id and its own labels. */}}
{{- define "lipstream.fitJob" -}}
{{- $full := include "lipstream.fullname" . -}}
{{- $labels := include "lipstream.labels" (dict "root" . "name" "fit") -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $full }}-fit
  namespace: {{ .Release.Namespace }}
  labels: {{- $labels | nindent 4 }}
spec:
  # Tries are counted by the queue. A pod that had to leave its node was none.
  backoffLimit: 0
  podFailurePolicy:
    rules:
      - {action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}
  activeDeadlineSeconds: {{ .Values.fits.deadlineSeconds }}
  ttlSecondsAfterFinished: {{ .Values.fits.ttlSeconds }}
  template:
    metadata:
      labels: {{- $labels | nindent 8 }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ $full }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- include "lipstream.podSecurity" . | nindent 8 }}
      {{- with include "lipstream.placement" (dict "root" . "pool" .Values.fits.pool) | trim }}{{ . | nindent 6 }}{{- end }}
      containers:
        - name: fit
          image: {{ include "lipstream.image" (dict "root" . "image" .Values.fits.image) }}
          imagePullPolicy: {{ .Values.imagePullPolicy }}
          args: [python, -m, lipstream.avatar.fits]
          envFrom:
            - configMapRef: {name: {{ $full }}-settings}
          env:
            {{- include "lipstream.connections" . | trim | nindent 12 }}
            {{- range $key, $text := .Values.fits.env }}
            - {name: {{ $key }}, value: {{ $text | quote }}}
            {{- end }}
          securityContext: {{- include "lipstream.containerSecurity" . | nindent 12 }}
          resources: {{- include "lipstream.resources" (dict "root" . "component" .Values.fits) | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            - {name: data, mountPath: /var/lib/lipstream}
            {{- if .Values.objectStore.bundled.enabled }}
            - {name: objects, mountPath: /objects}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: {{ .Values.fits.scratch }}}}
        - {name: data, emptyDir: {sizeLimit: {{ .Values.fits.scratch }}}}
        {{- if .Values.objectStore.bundled.enabled }}
        - {name: objects, persistentVolumeClaim: {claimName: {{ $full }}-objects}}
        {{- end }}
{{- end -}}
