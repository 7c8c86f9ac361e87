{{/* What every service reads, LIPSTREAM_... by name. */}}
{{- define "lipstream.settings" -}}
{{- $full := include "lipstream.fullname" . -}}
LIPSTREAM_HOST: 0.0.0.0
LIPSTREAM_DATA_DIR: /var/lib/lipstream
LIPSTREAM_STORE: {{ ternary "/objects" .Values.objectStore.url .Values.objectStore.bundled.enabled | quote }}
{{- range $name := include "lipstream.enabled" . | fromJsonArray }}
{{- $component := include "lipstream.component" (dict "root" $ "name" $name) | fromJson }}
{{- if eq $component.kind "triton" }}
LIPSTREAM_MODELS: triton://{{ $full }}-{{ $name }}:{{ $component.ports.grpc }}
{{- else if $component.ports.grpc }}
LIPSTREAM_{{ upper $name }}_ADDRESS: {{ $full }}-{{ $name }}:{{ $component.ports.grpc }}
{{- end }}
{{- end }}
{{- if .Values.stageTls.secret }}
LIPSTREAM_TLS_CA: /etc/lipstream-tls/ca.crt
LIPSTREAM_TLS_CERT: /etc/lipstream-tls/tls.crt
LIPSTREAM_TLS_KEY: /etc/lipstream-tls/tls.key
LIPSTREAM_TLS_NAME: {{ .Values.stageTls.name }}
{{- end }}
{{- with .Values.redis.username }}
REDIS_USERNAME: {{ . | quote }}
{{- end }}
{{- if hasPrefix "s3" .Values.objectStore.url }}
AWS_REGION: {{ .Values.objectStore.region | quote }}
{{- with .Values.objectStore.endpoint }}
AWS_ENDPOINT_URL: {{ . | quote }}
{{- if hasPrefix "http://" . }}
AWS_ALLOW_HTTP: "true"
{{- end }}
{{- end }}
{{- end }}
{{- range $key, $value := .Values.settings }}
LIPSTREAM_{{ upper $key }}: {{ $value | toString | quote }}
{{- end }}
{{- end -}}
