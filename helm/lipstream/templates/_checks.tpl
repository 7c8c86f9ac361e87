{{/* What a schema cannot say: values that contradict each other. Each refusal names the remedy. */}}
{{- define "lipstream.checks" -}}
{{- $values := .Values -}}
{{- if eq (not $values.redis.host) (not $values.redis.bundled.enabled) -}}
{{- fail "redis: name one Redis: set redis.host, or redis.bundled.enabled for a trial." -}}
{{- end -}}
{{- if eq (not $values.objectStore.url) (not $values.objectStore.bundled.enabled) -}}
{{- fail "objectStore: name one store: set objectStore.url, or objectStore.bundled.enabled for a trial." -}}
{{- end -}}
{{- if and $values.redis.bundled.enabled (not $values.redis.passwordSecret.name) -}}
{{- fail "redis: the bundled Redis needs a password: set redis.passwordSecret.name to a Secret that you made." -}}
{{- end -}}
{{- if and $values.redis.bundled.enabled (or $values.redis.tls $values.redis.username) -}}
{{- fail "redis: the bundled Redis knows neither TLS nor users: leave redis.tls and redis.username out." -}}
{{- end -}}
{{- range $name := include "lipstream.enabled" . | fromJsonArray -}}
{{- $component := include "lipstream.component" (dict "root" $ "name" $name) | fromJson -}}
{{- $pool := index $values.nodePools $component.pool -}}
{{- if not $pool -}}
{{- fail (printf "components.%s: there is no node pool %q: add it to nodePools." $name $component.pool) -}}
{{- end -}}
{{- if not (hasKey $values.images $component.image) -}}
{{- fail (printf "components.%s: there is no image %q: add it to images." $name $component.image) -}}
{{- end -}}
{{- if and $component.gpus (not $pool.gpu) -}}
{{- fail (printf "components.%s: node pool %q has no GPUs: set its gpu, for example to nvidia.com/gpu." $name $component.pool) -}}
{{- end -}}
{{- if not (hasKey $component.ports $component.probes.port) -}}
{{- fail (printf "components.%s: probes.port %q is none of its ports." $name $component.probes.port) -}}
{{- end -}}
{{- $scaling := $component.autoscaling -}}
{{- if gt (int $scaling.min) (int $scaling.max) -}}
{{- fail (printf "components.%s: autoscaling.min is above autoscaling.max." $name) -}}
{{- end -}}
{{- if eq $scaling.kind "keda" -}}
{{- if not (or $scaling.streams $scaling.liveLoad) -}}
{{- fail (printf "components.%s: KEDA has nothing to go by: set autoscaling.streams or autoscaling.liveLoad." $name) -}}
{{- end -}}
{{- if and $scaling.liveLoad (not $values.monitoring.prometheusAddress) -}}
{{- fail (printf "components.%s: autoscaling.liveLoad needs monitoring.prometheusAddress." $name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $scaling.kind "hpa") (not (dig "requests" "cpu" "" $component.resources)) -}}
{{- fail (printf "components.%s: autoscaling by processor needs resources.requests.cpu." $name) -}}
{{- end -}}
{{- range $caller := $component.callers -}}
{{- if not (hasKey $values.components $caller) -}}
{{- fail (printf "components.%s: its caller %q is no component." $name $caller) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq $values.fits.where "kubernetes" -}}
{{- $pool := index $values.nodePools $values.fits.pool -}}
{{- if not $pool -}}
{{- fail (printf "fits: there is no node pool %q: add it to nodePools." $values.fits.pool) -}}
{{- end -}}
{{- if and $values.fits.gpus (not $pool.gpu) -}}
{{- fail (printf "fits: node pool %q has no GPUs: set its gpu, for example to nvidia.com/gpu." $values.fits.pool) -}}
{{- end -}}
{{- if not (hasKey $values.images $values.fits.image) -}}
{{- fail (printf "fits: there is no image %q: add it to images." $values.fits.image) -}}
{{- end -}}
{{- end -}}
{{- if and $values.ingress.enabled $values.gatewayApi.enabled -}}
{{- fail "ingress and gatewayApi are both on: choose one." -}}
{{- end -}}
{{- if and $values.gatewayApi.enabled (not $values.gatewayApi.parentRefs) -}}
{{- fail "gatewayApi: set parentRefs to your Gateway." -}}
{{- end -}}
{{- end -}}
