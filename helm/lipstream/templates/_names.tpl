{{- define "lipstream.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are chosen. Argument: (dict "root" $ "name" component). */}}
{{- define "lipstream.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{/* All labels of an object. The same argument. */}}
{{- define "lipstream.labels" -}}
{{ include "lipstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* An image by its name in .Values.images. Argument: (dict "root" $ "image" name). */}}
{{- define "lipstream.image" -}}
{{- $image := index .root.Values.images .image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* A component with the defaults under it, as JSON. Argument: (dict "root" $ "name" component). */}}
{{- define "lipstream.component" -}}
{{- $own := deepCopy (index .root.Values.components .name) -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) $own | toJson -}}
{{- end -}}

{{/* Names of the components that are on, as a JSON list. */}}
{{- define "lipstream.enabled" -}}
{{- $names := list -}}
{{- range $name := keys .Values.components | sortAlpha -}}
{{- $component := include "lipstream.component" (dict "root" $ "name" $name) | fromJson -}}
{{- if $component.enabled -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- $names | toJson -}}
{{- end -}}

{{- define "lipstream.redisHost" -}}
{{- if .Values.redis.bundled.enabled -}}
{{- include "lipstream.fullname" . }}-redis
{{- else -}}
{{- .Values.redis.host -}}
{{- end -}}
{{- end -}}
